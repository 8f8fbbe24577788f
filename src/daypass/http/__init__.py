"""HTTP/1.1 server: framing, deadlines, backpressure, worker processes and signals."""
