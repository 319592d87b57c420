"""Pure rules of AutoPay: what is due, how much of it, and when."""
