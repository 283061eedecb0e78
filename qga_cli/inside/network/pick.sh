# shellcheck shell=sh
# Becomes the first of our words that this guest has, and says which on a line. Python and Perl
# read their program from standard input: $1 and $2 are its bytes in each of them.
qga_python=$1 qga_perl=$2
shift 2
for qga_tool; do
  case $qga_tool in
  python3) set -- python3 /usr/libexec/platform-python ;;
  *) set -- "$qga_tool" ;;
  esac
  for qga_name; do
    qga_path=$(command -v "$qga_name") && break 2
  done
done
[ "$qga_path" ] || { echo none; exit 1; }
echo "$qga_tool"
case $qga_tool in
python3)
  exec "$qga_path" -ISc 'import os, sys
t = b""
n = int(sys.argv[1])
while len(t) < n:
    b = os.read(0, n - len(t))
    if not b: sys.exit(1)
    t += b
exec(t.decode())' "$qga_python" ;;
perl)
  # shellcheck disable=SC2016  # Perl's variables
  exec "$qga_path" -e 'my $t = ""; my $n = shift;
while (length $t < $n) { sysread(STDIN, $t, $n - length $t, length $t) or exit 1 }
eval $t; die $@ if $@' "$qga_perl" ;;
esac
