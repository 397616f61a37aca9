"""Where readings come from: recordings, the simulated city, brokers and servers; and how they are taken in."""
