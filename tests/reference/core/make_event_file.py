"""Writes event_file.tfevents with TensorBoard's own message classes and record writer.

    python make_event_file.py        (needs the package `tensorboard`)
"""
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def event(wall_time, step, **scalars):
    values = [Summary.Value(tag=tag.replace("__", "/"), simple_value=value) for tag, value in scalars.items()]
    return Event(wall_time=wall_time, step=step, summary=Summary(value=values))


with open(Path(__file__).parent / "event_file.tfevents", "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1700000000.25, file_version="brain.Event:2").SerializeToString())
    writer.write(event(1700000001.5, 0, loss=0.6931472).SerializeToString())
    writer.write(event(1700000002.5, 300, loss=0.5, objective__kl=-1e-6, zero=0.0, bad=float("nan")).SerializeToString())
