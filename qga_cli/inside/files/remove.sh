# shellcheck shell=sh
# Removes what others may change meanwhile. After enter.sh.

# Removes the tree $1, a name in the entered folder, and nothing outside it: a folder is gone into, and
# only where that leads to it itself. GNU's rm does so by itself (with openat); busybox's goes by
# paths, and a folder that becomes a link meanwhile would lead it elsewhere.
remove() {
  case $(rm --version 2>/dev/null) in
    *GNU*) rm -rf -- "$1" ;;
    *) ( remove_slowly "${1#./}" ) ;;
  esac
}

remove_slowly() {
  if [ -d "./$1" ] && [ ! -L "./$1" ]; then
    (
      there=${PWD%/}/$1
      cd -P -- "./$1" || exit
      [ "$PWD" = "$there" ] || say "$there" 'was replaced while it was removed'
      for inner in ./* ./.[!.]* ./..?*; do
        [ ! -e "$inner" ] && [ ! -L "$inner" ] || ( remove_slowly "${inner#./}" ) || exit
      done
    ) && rmdir -- "./$1"
  else rm -f -- "./$1"
  fi
}
