//! Route 53's nouns and what a change does to them.
