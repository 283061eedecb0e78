"""How guests are: listed, waited for, examined, fixed."""
