//! Every operation of the control plane as one function.
