"""Files that people bring: read whatever program wrote them, checked row by row, nothing half taken."""
