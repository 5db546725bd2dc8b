"""The two pages, `/dash` and `/perf/ui`: static files without a build step, and the streams that keep them current."""
