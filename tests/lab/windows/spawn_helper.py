"""Change GLib's helper for wine 8.0, whose _wspawnvp finds programs of PATH erratically.

`spawn_helper.py glib/gspawn-win32-helper.c`: it then searches as Microsoft's C runtime does.
"""

import sys
from pathlib import Path

SEARCH = r"""#include <fcntl.h>
#include <process.h>
#include <stdlib.h>
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static intptr_t
wine_wspawnvp (int mode, const wchar_t *name, const wchar_t * const *args)
{
  static const wchar_t *const ext[] = { L"", L".com", L".exe", L".bat", L".cmd" };
  const wchar_t *path = _wgetenv (L"PATH"), *p;
  wchar_t full[4096];
  size_t i, n;

  if (!name || !path || wcspbrk (name, L"\\/:") || wcslen (name) > 300)
    return _wspawnvp (mode, name, args);
  for (p = path; p; p = wcschr (p, L';') ? wcschr (p, L';') + 1 : NULL)
    for (i = 0; i < 5; i++)
      {
        DWORD a;
        n = wcscspn (p, L";");
        if (!n || n > 3000)
          continue;
        wcsncpy (full, p, n);
        full[n] = L'\\';
        full[n + 1] = 0;
        wcscat (full, name);
        wcscat (full, ext[i]);
        a = GetFileAttributesW (full);
        if (a != INVALID_FILE_ATTRIBUTES && !(a & FILE_ATTRIBUTE_DIRECTORY))
          return _wspawnv (mode, full, args);
      }
  errno = ENOENT;
  return -1;
}
"""

source = Path(sys.argv[1])
text = source.read_text()
if "wine_wspawnvp" not in text:
    text = text.replace("#include <fcntl.h>\n", SEARCH, 1)
    text = text.replace("    handle = _wspawnvp (mode,", "    handle = wine_wspawnvp (mode,", 1)
    source.write_text(text)
