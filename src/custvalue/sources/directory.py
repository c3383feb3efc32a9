"""The restricted directory alone, opened for one look: no other table is read, hashed or checked."""

from __future__ import annotations

from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend

from custvalue.config import Config, SourceMapping, load_mapping
from custvalue.engines import connect
from custvalue.sources.contract import CONTRACT
from custvalue.sources.files import TableFiles, find_contract_files
from custvalue.sources.mapping import load_raw_inputs, mapped_select
from custvalue.sources.typed import create_table

_NAME = "directory"


def open_directory(config: Config) -> ibis.Table | None:
    """Open the directory of an operator, for lists and page alone.

    Parameters
    ----------
    config : Config
        Folder and mapping.

    Returns
    -------
    ibis.Table or None
        customer_id and, where known, crm_id, name, msisdn; None where the directory is not mapped.

    Raises
    ------
    ConfigError
        The mapping file is wrong.
    DataError
        The directory cannot be read.
    """
    con = connect(memory_limit=config.sources.memory_limit)
    con.raw_sql("CREATE SCHEMA contract")
    con.raw_sql("CREATE SCHEMA raw")
    source: TableFiles | str | None
    if config.sources.mapping is None:
        source = find_contract_files(config.sources.folder).get(_NAME)
    else:
        source = _mapped(con, load_mapping(config.sources.mapping, environ=config.sources.variables), config)
    if source is None:
        return None
    create_table(con, CONTRACT[_NAME], source, config, copy_below=0)
    return con.table(_NAME, database="contract")


def _mapped(con: Backend, mapping: SourceMapping, config: Config) -> str | None:
    own, where = mapping.tables.get(_NAME), str(config.sources.mapping)
    if own is None:
        return None
    wanted = {name: source for name, source in mapping.inputs.items() if own.from_ in (None, name)}
    load_raw_inputs(con, mapping.model_copy(update={"inputs": wanted}), config.sources.folder, mapping_file=Path(where))
    return mapped_select(_NAME, own, where)
