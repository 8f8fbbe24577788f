"""HTTP/1.1 as it is served: framing, deadlines, backpressure, processes and signals."""
