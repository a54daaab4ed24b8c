"""Webhooks for others: endpoints that people keep, deliveries that are sent to them, again until they arrive.

Signed as Standard Webhooks asks for, sent at least once, in no promised order. Who subscribes is told for as long as
they may know: of their own, of what is public, and staff of everybody's as far as their role sees it.
"""
