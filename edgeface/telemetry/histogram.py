"""Latency histograms of fixed size: percentiles within 1 %, whatever is recorded."""

from typing import Dict, Optional

from ..core.rates import MS_NS

_SUB_BITS = 6  # 64 buckets per power of two: a bucket is at most 1/64 wide, its middle off by 1/128
_SUB = 1 << _SUB_BITS
_LARGEST = (1 << 40) - 1  # ns, 18 minutes; larger values count as this
_BUCKETS = (40 - _SUB_BITS + 1) * _SUB


def _middle(bucket: int) -> float:
    """Value in the middle of a bucket, ns."""
    shift, low = divmod(bucket, _SUB)
    if shift == 0:
        return float(low)
    width = 1 << (shift - 1)
    return (_SUB + low) * width + (width - 1) / 2.0


class Histogram:
    """Counts of durations in ns; `record` costs less than a microsecond."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._largest = 0

    def record(self, ns: int) -> None:
        """Counts a duration; a negative one as 0."""
        if ns > self._largest:
            self._largest = ns = min(ns, _LARGEST)
        elif ns < 0:
            ns = 0
        shift = ns.bit_length() - _SUB_BITS - 1
        bucket = ns if shift < 0 else (shift << _SUB_BITS) + (ns >> shift)
        self._counts[bucket] += 1

    def take(self) -> "Summary":
        """What was recorded since the last call; counting begins at 0 again."""
        counts = self._counts
        largest = self._largest
        self._counts = [0] * _BUCKETS
        self._largest = 0
        return Summary({bucket: count for bucket, count in enumerate(counts) if count}, largest)


class Summary:
    """Counts that no longer change.

    :param counts: buckets and their counts, of those that are not 0
    :param largest_ns: largest value
    """

    def __init__(self, counts: Dict[int, int], largest_ns: int):
        self._counts = counts
        self.largest_ns = largest_ns
        self.count = sum(counts.values())

    def percentile_ns(self, percent: int) -> Optional[float]:
        """Smallest value that `percent` % of the values do not exceed; None when there are none."""
        if not self.count:
            return None
        wanted = max(1, -(-self.count * percent // 100))
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_middle(bucket), float(self.largest_ns))
        return float(self.largest_ns)

    def as_ms(self) -> Dict[str, Optional[float]]:
        """p50, p95, p99 and max in ms, rounded; None where nothing was recorded."""
        values = {f"p{percent}": self.percentile_ns(percent) for percent in (50, 95, 99)}
        values["max"] = self.largest_ns if self.count else None
        return {name: None if ns is None else round(ns / MS_NS, 3) for name, ns in values.items()}

    def bins_ms(self, width_ms: int = 10) -> Dict[str, int]:
        """Counts per `width_ms` by the lower edge in ms, for drawing."""
        bins: Dict[str, int] = {}
        for bucket in sorted(self._counts):
            edge = str(int(_middle(bucket) / MS_NS // width_ms) * width_ms)
            bins[edge] = bins.get(edge, 0) + self._counts[bucket]
        return bins
