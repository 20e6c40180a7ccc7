"""Excel as superiors want it: sheets laid out by templates (`forms/sheets/*.json`), filled from what was
recorded once."""
