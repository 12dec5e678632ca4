"""Numbers to pictures and one page: figures draws, report writes report.html."""
