"""Windows guests: all that is done otherwise there, behind the doors of exec and files."""
