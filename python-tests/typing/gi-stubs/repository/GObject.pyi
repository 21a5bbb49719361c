from typing import Any

class Object:
    def __init__(self, **properties: Any) -> None: ...

class GBoxed: ...
class GPointer: ...

class GFlags(int):
    value_names: list[str]
    value_nicks: list[str]

class GEnum(int):
    value_name: str
    value_nick: str
