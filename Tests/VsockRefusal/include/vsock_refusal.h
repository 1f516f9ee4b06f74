// Linked into every test bundle, and nothing to call: see VsockRefusal.c.
