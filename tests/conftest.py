"""What all tests need of their process."""

import signal

# A shell that starts something in the background has it ignore Ctrl-C, and so does all that this
# starts: commands that tests interrupt would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
