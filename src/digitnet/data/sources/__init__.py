"""Where the files of a named data set come from: each source gives bytes, or a short reason why it can't.

Not pooch (1.9): it has one address for a file, no lock, and no limit on a body's size, its total time or its
expansion; it follows redirects to http, and needs requests. It would replace only the hash before the rename:
`RawFile.check` and `write_whole`.
"""
