"""The author's API: the kinds, Context, Verdict, discovery by entry points."""
