"""What every comparison writes down beside its measurements, so that they can be judged later."""
import datetime
import json
import os
import pathlib
import platform
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) // 1024**2 for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": memory, "system": platform.platform()}


def busy():
    """Cores that something else keeps busy just now, over three seconds."""
    def times():
        values = [int(value) for value in open("/proc/stat").readline().split()[1:]]
        return sum(values), values[3] + values[4]  # all, idle
    before = times()
    time.sleep(3)
    after = times()
    return (1 - (after[1] - before[1]) / max(1, after[0] - before[0])) * os.cpu_count()


def revision():
    out = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return out.stdout.strip() or "unknown"


def circumstances(what, load):
    """The head of a results file; `load` is what busy() said before the first measurement."""
    if load > 0.2:
        print(f"{what}: other work kept {load:.1f} cores busy at the start; these numbers are not for publication")
    return {"what": what, "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "revision": revision(), "machine": machine(), "busy_cores_at_start": round(load, 2)}


def write(result):
    """To results/WHAT-DATE.json."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{result['what']}-{result['date'][:10]}.json"
    file.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{result['what']}: {file.relative_to(ROOT)}")
