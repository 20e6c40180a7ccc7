"""The demo district: synthetic, the same every time, imported like a real one."""
