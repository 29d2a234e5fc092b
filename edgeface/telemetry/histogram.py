"""Latency histograms of fixed size: percentiles within 1 %, whatever is recorded."""

_SUB_BITS = 6  # 64 buckets per power of two: a bucket is at most 1/64 wide, its middle off by 1/128
_SUB = 1 << _SUB_BITS
_LARGEST = (1 << 40) - 1  # ns, 18 minutes; larger values count as this
_BUCKETS = (40 - _SUB_BITS + 1) * _SUB


def _middle(bucket):
    """Value in the middle of a bucket, ns."""
    shift, low = divmod(bucket, _SUB)
    if shift == 0:
        return float(low)
    width = 1 << (shift - 1)
    return (_SUB + low) * width + (width - 1) / 2.0


class Histogram:
    """Counts of durations in ns; `record` costs less than a microsecond."""

    def __init__(self):
        self._counts = [0] * _BUCKETS
        self._largest = 0

    def record(self, ns):
        """Counts a duration, int; negative ones as 0."""
        if ns > self._largest:
            self._largest = ns = min(ns, _LARGEST)
        elif ns < 0:
            ns = 0
        shift = ns.bit_length() - _SUB_BITS - 1
        self._counts[ns if shift < 0 else (shift << _SUB_BITS) + (ns >> shift)] += 1

    def take(self):
        """What was recorded since the last call, as a `Summary`; starts anew."""
        counts, largest = self._counts, self._largest
        self._counts, self._largest = [0] * _BUCKETS, 0
        return Summary({i: n for i, n in enumerate(counts) if n}, largest)


class Summary:
    """Counts that no longer change.

    :param counts: bucket to count
    :param largest: largest value, ns
    """

    def __init__(self, counts, largest):
        self._counts, self.largest_ns = counts, largest
        self.count = sum(counts.values())

    def percentile_ns(self, percent):
        """Smallest value that `percent` % of the values do not exceed; None when there are none."""
        if not self.count:
            return None
        wanted, seen = max(1, -(-self.count * percent // 100)), 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_middle(bucket), float(self.largest_ns))
        return float(self.largest_ns)

    def as_ms(self):
        """p50, p95, p99 and max in ms, rounded; None where nothing was recorded."""
        values = [self.percentile_ns(p) for p in (50, 95, 99)] + [
            self.largest_ns if self.count else None
        ]
        return {
            name: None if ns is None else round(ns / 1e6, 3)
            for name, ns in zip(("p50", "p95", "p99", "max"), values)
        }

    def bins_ms(self, width_ms=10):
        """Counts per `width_ms`, {lower edge as str: count}, for drawing."""
        bins = {}
        for bucket in sorted(self._counts):
            edge = str(int(_middle(bucket) / 1e6 // width_ms) * width_ms)
            bins[edge] = bins.get(edge, 0) + self._counts[bucket]
        return bins
