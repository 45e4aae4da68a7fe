//! The AWS dialects in front of the control plane.
