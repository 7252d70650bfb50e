//! A TCP segment taken out of an Ethernet packet, and put into one again.
