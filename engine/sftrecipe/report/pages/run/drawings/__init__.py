"""The report's charts: functions that give SVG, coloured by the page's style sheet."""
