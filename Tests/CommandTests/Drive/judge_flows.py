FLOWS = []
