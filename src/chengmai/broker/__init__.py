"""The broker: what is done to entities, batches and subscriptions, through one commit path."""
