"""GraphQL, but for what is asked: how a question comes in, what it may cost, how it is answered and refused.

Each app describes its own part (`<app>/graphql/`); `config.urls` puts them together. Nothing can be changed this way.
"""
