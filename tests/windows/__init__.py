"""qga on a Windows guest: the real agent where the lab is built, else what it once said."""
