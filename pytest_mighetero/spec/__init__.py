"""What is asked for, checked in one place: options, ini file and suite file."""
