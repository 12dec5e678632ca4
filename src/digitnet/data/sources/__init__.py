"""Where the files of a named data set come from: each source hands over bytes, or says in a few words why not."""
