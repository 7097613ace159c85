"""Which layers of a file are in a network: the include and exclude rules of Caffe's net.cpp."""

from tfvis.errors import InputError, arg, nearest


def state(net, stages: tuple[str, ...]):
    """Returns the NetState that a network is looked at in: the phase TEST, in some stages.

    Args:
        net: whose own state gives level and stages where none are asked for.
        stages: names, as of --stage.

    Raises:
        InputError: a stage that no rule of the network speaks of.
    """
    result = type(net.state)()
    result.CopyFrom(net.state)
    result.ClearField("phase")  # Leaves its default, TEST.
    known = stages_of(net)
    for stage in stages:
        if stage not in known:
            raise InputError(
                f"{arg('stage')}={stage}: no layer is of this stage. {nearest(stage, known)}"
            )
    if stages:
        result.ClearField("stage")
        result.stage.extend(stages)
    return result


def stages_of(net) -> list[str]:
    """Returns the stages that a network's rules speak of, in their order."""
    rules = [r for la in (*net.layer, *net.layers) for r in (*la.include, *la.exclude)]
    return list(dict.fromkeys(s for rule in rules for s in (*rule.stage, *rule.not_stage)))


def included(layer, state) -> bool:
    """Returns whether a layer is in the net in `state`; Net::FilterNet.

    Raises:
        InputError: it has rules of both kinds.
    """
    if layer.include and layer.exclude:
        raise InputError(f"layer {layer.name} has both include and exclude rules")
    if layer.include:
        return any(_meets(state, rule) for rule in layer.include)
    return not any(_meets(state, rule) for rule in layer.exclude)


def _meets(state, rule) -> bool:
    """Returns whether a state meets a rule; Net::StateMeetsRule."""
    return (
        (not rule.HasField("phase") or rule.phase == state.phase)
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and set(rule.stage) <= set(state.stage)
        and not set(rule.not_stage) & set(state.stage)
    )
