//! A registration and a sign-in over the whole hybrid transport, in one process.
