"""The sanitizer jobs can fail: each planted bug is reported by the very code
that judges the real programs and the real unit tests."""
import importlib.machinery
import importlib.util
import os

from harness import ROOT, Failed, Program, Skip, case, check, main

PLANTED = os.path.join(ROOT, "build", "planted")


def planted(name):
    path = os.path.join(PLANTED, name)
    if not os.path.exists(path):
        raise Skip("make check builds tests/planted")
    return path


def program_fails(name, report):
    try:
        with Program([planted(name)], name) as p:
            p.expect_exit = None
            p.launch()
            p.process.wait(60)
            check(report in p.log(), f"no report:\n{p.log()[:500]}")
    except Failed as e:
        check("sanitizer" in str(e), str(e))
        return
    raise Failed(f"{name} was taken for a success")


@case("a use after free fails a flow test")
def use_after_free():
    program_fails("use_after_free", "heap-use-after-free")


@case("a leak fails a flow test")
def leak():
    program_fails("leak", "LeakSanitizer")


@case("an overflow fails a flow test")
def overflow():
    program_fails("overflow", "runtime error: signed integer overflow")


@case("a data race fails a flow test")
def race():
    program_fails("race", "ThreadSanitizer: data race")


def runner():
    loader = importlib.machinery.SourceFileLoader(
        "runner", os.path.join(ROOT, "tests", "run"))
    spec = importlib.util.spec_from_loader("runner", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def unit_fails(name):
    r = runner()
    total = r.Sum()
    # Its report is for us, not for who reads this test's output.
    quiet = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        r.run_unit(planted(name), r.environment(), total)
    finally:
        os.dup2(quiet, 1)
        os.close(quiet)
        os.close(null)
    check(total.failed > 0, f"{name} was taken for a success")


@case("a leak fails a unit test")
def unit_leak():
    unit_fails("unit_leak")


@case("an assertion that fails in a teardown fails a unit test")
def unit_teardown():
    unit_fails("unit_teardown")


@case("an overflow fails a unit test")
def unit_overflow():
    unit_fails("unit_overflow")


main()
