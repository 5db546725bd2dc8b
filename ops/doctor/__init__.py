"""`./inv doctor`: what is wrong here and on hosts, and what to do. Facts are gathered, then judged by what is pure."""
