"""The comparison's side of Dagster: the same noop asset, partitioned by team and day, and a sensor that fans out."""

import dagster as dg

TEAMS = [str(team) for team in range(1, 101)]

team_days = dg.MultiPartitionsDefinition(
    {
        "day": dg.DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-04-10"),
        "team": dg.StaticPartitionsDefinition(TEAMS),
    }
)


@dg.asset(partitions_def=team_days)
def noop() -> None:
    pass


noop_job = dg.define_asset_job("noop_job", selection=[noop], partitions_def=team_days)


@dg.sensor(job=noop_job, minimum_interval_seconds=3_600)
def fan_out():
    for team in TEAMS:
        key = dg.MultiPartitionKey({"day": "2024-04-01", "team": team})
        yield dg.RunRequest(run_key=str(key), partition_key=key)


defs = dg.Definitions(assets=[noop], jobs=[noop_job], sensors=[fan_out])
