# shellcheck shell=sh
# Comes before every script that is loaded: sees to it that here-documents work.
#
# A bash before 5.1 writes them to files in /tmp, which may be full, or all of / read-only: when qga
# is wanted most. qga_tmp is the TMPDIR that there was, which the program is to have.
qga_tmp=${TMPDIR-}
for TMPDIR in "$qga_tmp" /dev/shm /run; do { true <<.; } 2>/dev/null && break; done

.
