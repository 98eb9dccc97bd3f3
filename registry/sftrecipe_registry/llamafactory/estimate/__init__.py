"""What a training will take: memory, time, disk, told before any of it is spent."""
