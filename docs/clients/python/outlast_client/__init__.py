"""The Python client of Outlast: typed calls that are generated, and what makes them reliable, which is not.

    with Outlast("https://pools.example.com") as outlast:
        outlast.sign_in("ann@example.com", "…")
        for pool in answered(list_pools.sync(client=outlast.client)).data:
            print(pool.name)

Each operation is a module in `outlast_client.generated.api`, each answer a class in `outlast_client.generated.models`.
"""

from outlast_client.connection import Outlast, answered
from outlast_client.errors import ApiError
from outlast_client.generated.models.error_code import ErrorCode
from outlast_client.retrying import Patience

__all__ = ["ApiError", "ErrorCode", "Outlast", "Patience", "answered"]
