"""What computes: the CPU, whether TensorFlow runs it through oneDNN, and its memory."""

import os
import pathlib
import platform

# Limits of oneDNN (ONEDNN_MAX_CPU_ISA) under which it still multiplies bfloat16 in hardware.
_BFLOAT16_LIMITS = ("DEFAULT", "BF16", "FP16", "AMX", "AVX10")


def described() -> dict[str, str]:
    """Returns what a manifest says of this machine: the CPU's name, oneDNN "on" or "off"."""
    return {"cpu": cpu(), "oneDNN": "on" if onednn() else "off"}


def cpu() -> str:
    """Returns the name of the CPU, or of its architecture where the system tells no more."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def onednn(dtype: str = "float32") -> bool:
    """Tells whether TensorFlow's convolutions and products run through oneDNN.

    Asked of TensorFlow, which reads TF_ENABLE_ONEDNN_OPTS as it is imported and never
    again: what the variable says later need not be in force.

    Args:
        dtype: of the numbers. TensorFlow gives oneDNN bfloat16 on CPUs with AVX-512 only; on
            others its own kernels take it, which lack the same as without oneDNN.
    """
    # There is no public name for it; TensorFlow's own tests ask here.
    from tensorflow.python.util import _pywrap_util_port

    if dtype == "bfloat16" and "avx512f" not in _cpuinfo("flags").split():
        return False
    return _pywrap_util_port.IsMklEnabled()


def refused(precision: str) -> str:
    """Returns why this machine cannot compute in a precision, "" where it can.

    oneDNN ends the process where ONEDNN_MAX_CPU_ISA keeps from it what TensorFlow sees.
    """
    if precision == "bfloat16" and not gpus() and onednn(precision) and not avx512():
        return f"ONEDNN_MAX_CPU_ISA={os.environ['ONEDNN_MAX_CPU_ISA']} keeps oneDNN from it"
    return ""


def gpus() -> list:
    """Returns TensorFlow's GPUs."""
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")


def native_bfloat16() -> bool:
    """Tells whether this machine multiplies bfloat16 in hardware, and TensorFlow lets it."""
    if gpus():
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(gpus()[0])
        # Ampere is compute capability 8.0.
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    # Without oneDNN every product is rounded by itself, up to forty times as slow.
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    allowed = onednn() and any(word in limit for word in _BFLOAT16_LIMITS)
    return allowed and bool({"avx512_bf16", "amx_bf16"} & set(_cpuinfo("flags").split()))


def avx512() -> bool:
    """Tells whether oneDNN may use AVX-512 on this CPU."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    allowed = limit == "DEFAULT" or limit.startswith(("AVX512", "AVX10"))
    return allowed and "avx512f" in _cpuinfo("flags").split()


def cores() -> int:
    """Returns how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """Returns the bytes of memory this process may have, or 8 GiB where nobody can say.

    The machine's, or less where a container or another control group has a limit. Not what is
    free of it: how a picture is made must not change from start to start.
    """
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        whole = 8 * 2**30
    return min([whole, *_group_limits(pathlib.Path("/"))])


def _group_limits(root: pathlib.Path) -> list[int]:
    """Returns the limits in bytes of the control groups this process is in (Linux, 1 and 2).

    Args:
        root: where /proc and /sys are.
    """
    found = []
    try:
        lines = (root / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        _, kinds, inside = [*line.split(":", 2), "", ""][:3]
        if kinds and "memory" not in kinds.split(","):
            continue
        top, name = root / "sys/fs/cgroup", "memory.max"
        if kinds:  # Version 1.
            top, name = top / "memory", "memory.limit_in_bytes"
        # A limit of any group around counts; in a container, its own group is the root.
        group = pathlib.PurePosixPath(inside.lstrip("/"))
        for at in (group, *group.parents):
            try:
                word = (top / at / name).read_text().strip()
            except OSError:
                continue
            if word.isdecimal() and int(word) > 0:
                found.append(int(word))
    return found


def _cpuinfo(key: str) -> str:
    """Returns what Linux says of its first CPU under a key, "" where it does not."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == key:
                    return value.strip()
    except OSError:
        pass
    return ""
