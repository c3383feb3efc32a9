"""What tiers show: sizes and revenue, who moved, how calm and how concentrated they are, what they cost to serve."""
