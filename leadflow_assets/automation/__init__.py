"""What runs by itself: jobs, schedules, sensors, checks, alerts, redaction."""
