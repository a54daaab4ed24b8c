"""What banks say (L5): reading their files, keeping their statements, and finding out what each line is."""
