"""What can be wrong with a file or a mapping as a whole; nothing is imported then."""

from __future__ import annotations

from cdp.errors import CdpError


class InputFileError(CdpError):
    """The file cannot be read as what it claims to be."""

    reason = "input_file"


class MappingError(CdpError):
    """The mapping file is wrong, or does not fit the columns of the file."""

    reason = "mapping"
