"""What a verb is given to work with, and the verbs that need no room of their own."""
