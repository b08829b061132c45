"""Operations that do more than arithmetic: they touch files or the network, run Python, or need foreign code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from oddemo.export.cards.card import Danger

READS, WRITES, PYTHON, NETWORK, CUSTOM = (
    "reads files",
    "writes files",
    "runs Python",
    "uses the network",
    "needs custom code",
)

#: TensorFlow operation → what it does besides arithmetic.
_RISKS: dict[str, str] = {
    "ReadFile": READS,
    "MatchingFiles": READS,
    "WholeFileReader": READS,
    "WholeFileReaderV2": READS,
    "TextLineReader": READS,
    "TextLineReaderV2": READS,
    "FixedLengthRecordReader": READS,
    "FixedLengthRecordReaderV2": READS,
    "TFRecordReader": READS,
    "TFRecordReaderV2": READS,
    "LMDBReader": READS,
    "TextLineDataset": READS,
    "TFRecordDataset": READS,
    "TFRecordDatasetV2": READS,
    "FixedLengthRecordDataset": READS,
    "FixedLengthRecordDatasetV2": READS,
    "CSVDataset": READS,
    "CSVDatasetV2": READS,
    "MatchingFilesDataset": READS,
    "LMDBDataset": READS,
    "SqlDataset": READS,
    "LoadDataset": READS,
    "SnapshotDataset": READS,
    "SnapshotDatasetV2": READS,
    "ImmutableConst": READS,
    "InitializeTableFromTextFile": READS,
    "InitializeTableFromTextFileV2": READS,
    "Restore": READS,
    "RestoreSlice": READS,
    "RestoreV2": READS,
    "LoadAndRemapMatrix": READS,
    "GenerateVocabRemapping": READS,
    "WriteFile": WRITES,
    "Save": WRITES,
    "SaveSlices": WRITES,
    "SaveV2": WRITES,
    "MergeV2Checkpoints": WRITES,
    "SaveDataset": WRITES,
    "SaveDatasetV2": WRITES,
    "DatasetToTFRecord": WRITES,
    "WriteSummary": WRITES,
    "WriteImageSummary": WRITES,
    "WriteScalarSummary": WRITES,
    "WriteGraphSummary": WRITES,
    "WriteRawProtoSummary": WRITES,
    "WriteAudioSummary": WRITES,
    "WriteHistogramSummary": WRITES,
    "CreateSummaryFileWriter": WRITES,
    "CreateSummaryDbWriter": WRITES,
    "DebugIdentity": WRITES,
    "DebugIdentityV2": WRITES,
    "DebugIdentityV3": WRITES,
    "DebugNanCount": WRITES,
    "DebugNumericSummary": WRITES,
    "DistributedSave": WRITES,
    "PyFunc": PYTHON,
    "PyFuncStateless": PYTHON,
    "EagerPyFunc": PYTHON,
    "NumpyFunction": PYTHON,
    "RpcCall": NETWORK,
    "RpcClient": NETWORK,
    "RpcServer": NETWORK,
    "RpcServerStart": NETWORK,
    "Rpc": NETWORK,
    "TryRpc": NETWORK,
    "RemoteCall": NETWORK,
    "DataServiceDataset": NETWORK,
    "DataServiceDatasetV2": NETWORK,
    "DataServiceDatasetV3": NETWORK,
    "DataServiceDatasetV4": NETWORK,
    "RegisterDataset": NETWORK,
    "RegisterDatasetV2": NETWORK,
    "BigQueryReader": NETWORK,
}

#: What every SavedModel needs to load and save its own variables; named apart, not as a danger.
SAVER_OPS = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})

#: What TensorFlow's file systems would open: another machine's file, or a local one that is named in full.
_ADDRESS = re.compile(
    rb"(?:(https?|gs|s3|hdfs|ftp|viewfs|har|abfss?|wasbs?|grpc)|file)://[^\x00-\x20]{1,80}", re.IGNORECASE
)


def risk_of(op: str) -> str | None:
    """Return what an operation does besides arithmetic, None for an ordinary one."""
    plain = op.removeprefix("Experimental")
    if plain in _RISKS:
        return _RISKS[plain]
    if "Py" in op and "Func" in op:
        return PYTHON
    return CUSTOM if op.startswith(("IO>", "Addons>")) else None


def addresses(data: bytes, start: int, end: int) -> Iterator[tuple[int, str, str]]:
    """Yield `(position, address, risk)` of the file addresses that stand in some bytes, at most a hundred."""
    found = looked = 0
    spot = data.find(b"://", start, end)
    while spot >= 0 and found < 100 and looked < 100_000:
        looked += 1
        match = next(_ADDRESS.finditer(data, max(start, spot - 6), min(end, spot + 84)), None)
        if match is not None:
            found += 1
            yield match.start(), match[0][:60].decode("utf-8", "replace"), NETWORK if match[1] else READS
        spot = data.find(b"://", spot + 3, end)


def gather(found: Iterable[tuple[str, str, str]]) -> tuple[Danger, ...]:
    """Count `(op, risk, place)` triples by operation and risk, keeping the first place of each."""
    places: dict[tuple[str, str], list[str]] = {}
    for op, risk, place in found:
        places.setdefault((op, risk), []).append(place)
    return tuple(Danger(op, risk, names[0], len(names)) for (op, risk), names in sorted(places.items()))
