"""What stands between every verb and every agent, where a policy or an audit file asks for it."""
