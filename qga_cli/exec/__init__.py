"""Programs in guests: started, fed, streamed, ended. streamed.py begins with what is said."""
