"""Publishing: forms and settings from the folder of definitions into the catalogue."""
