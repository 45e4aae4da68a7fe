//! Files of measurements, line by line: each becomes a sample, or an error with its number.
