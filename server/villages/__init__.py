"""Which villages were heard from on a day: records, a nil report, or silence."""
