"""Programs in guests: started, fed, streamed, ended."""
