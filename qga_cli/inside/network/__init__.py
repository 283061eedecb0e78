"""The guest's end of a tunnel, sent there as text: for any Python from 3.6 on and the modules that
are built in, for importing others (socket among them) takes a second in a slow guest; the same in
Perl; and a shell script that finds out which of them is there."""
